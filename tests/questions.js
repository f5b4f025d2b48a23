// What is asked of a page that is open in a browser, all in one evaluation: by the name
// of each question, what is amiss. Each has a broken case in tests/test_browser.py.
({ boxes, dark, wide, contrast: least = 4.5 }) => {
    const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];
    const shown = (element) =>
        element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
    const html = (element) => element.outerHTML.slice(0, 150);
    const level = (a, b) => Math.abs(a - b) <= 1;

    // --- Names, as a screen reader is told them ------------------------------

    const text = (element) => {
        const pictures = all("img[alt], svg [title], [aria-label], title", element);
        const told = (part) => part.alt ?? part.ariaLabel ?? part.textContent;
        return `${element.textContent}${pictures.map(told).join("")}`.trim();
    };
    const named = (element) => {
        const by = element.getAttribute("aria-labelledby")?.split(/\s+/) ?? [];
        const labels = [...(element.labels ?? [])];
        return Boolean(
            by.some((id) => document.getElementById(id)?.textContent.trim())
            || element.ariaLabel?.trim() || element.title?.trim()
            || labels.some(text) || element.placeholder || text(element)
            || (element.type === "submit" && element.value),
        );
    };

    // --- Colours -------------------------------------------------------------

    const canvas = document.createElement("canvas");
    canvas.width = canvas.height = 1;
    const pen = canvas.getContext("2d", { willReadFrequently: true });
    const known = new Map();
    const rgba = (color) => {
        if (!known.has(color)) {
            pen.clearRect(0, 0, 1, 1);
            pen.fillStyle = color;
            pen.fillRect(0, 0, 1, 1);
            const [r, g, b, a] = pen.getImageData(0, 0, 1, 1).data;
            known.set(color, [r, g, b, a / 255]);
        }
        return known.get(color);
    };
    const over = ([r, g, b, a], below) =>
        [r, g, b].map((part, i) => part * a + below[i] * (1 - a));
    // What lies behind the text of an element, and how opaque the element is.
    const behind = new Map();
    const ground = (element) => {
        if (!element) return { color: [255, 255, 255], opacity: 1 };
        if (!behind.has(element)) {
            const below = ground(element.parentElement);
            const style = getComputedStyle(element);
            behind.set(element, {
                color: over(rgba(style.backgroundColor), below.color),
                opacity: below.opacity * style.opacity,
            });
        }
        return behind.get(element);
    };
    const luminance = (color) => {
        const [r, g, b] = color.map((part) => {
            const c = part / 255;
            return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const contrast = (a, b) => {
        const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
        return (high + 0.05) / (low + 0.05);
    };
    const pale = (element) => {
        const style = getComputedStyle(element);
        const { color, opacity } = ground(element);
        const [r, g, b, a] = rgba(style.color);
        const size = parseFloat(style.fontSize);
        const large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
        const found = contrast(over([r, g, b, a * opacity], color), color);
        return found < (large ? least - 1.5 : least) ? `${found.toFixed(1)}: ` : "";
    };
    const written = () => {
        const found = new Set();
        const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
        while (walker.nextNode()) {
            const { data, parentElement: parent } = walker.currentNode;
            if (data.trim()) found.add(parent);
        }
        const passed = "script, style, svg *, :disabled, [aria-hidden='true'] *";
        return [...found].filter((element) => !element.matches(passed)
            && shown(element) && element.getClientRects().length);
    };

    // --- The questions -------------------------------------------------------

    const focusable = "a[href], button, input:not([type=hidden]), select, summary, "
        + "textarea, [tabindex]:not([tabindex^='-'])";
    const questions = {
        "scrolls sideways": () => {
            const { scrollWidth, clientWidth } = document.documentElement;
            return scrollWidth > clientWidth ? [`by ${scrollWidth - clientWidth}`] : [];
        },

        "not the scheme that the reader prefers": () => {
            const found = document.body.dataset.mdColorScheme;
            const { color } = ground(document.body);
            const isDark = luminance(color) < 0.2;
            const right = found === (dark ? "slate" : "default") && isDark === dark;
            return right ? [] : [`${found}, on ${color}`];
        },

        "source in sight": () => {
            const copy = document.body.cloneNode(true);
            all("code, script", copy).forEach((code) => code.remove());
            return copy.textContent.match(/.{0,30}(\\\(|\\\[|\$\$).{0,30}/g) ?? [];
        },

        // It has a box, glyphs that are defined, and the colour of its text.
        "formula not drawn": () => {
            const seen = (svg) => {
                const box = svg.getBoundingClientRect();
                // Of what is in it, which is drawn for that though it be out of sight.
                const ink = svg.firstElementChild.getBBox();
                const around = svg.closest(".formula").parentElement;
                return box.width * box.height * ink.width * ink.height > 0
                    && getComputedStyle(svg).fill === getComputedStyle(around).color
                    && svg.checkVisibility();
            };
            // An explorer has panels that are out of sight.
            const asked = all(".md-content .formula")
                .filter((formula) => formula.parentElement.checkVisibility());
            return asked.filter((formula) => {
                const drawings = all(".drawn > svg, .piece > svg", formula);
                return !drawings.length || !drawings.every(seen);
            }).map((formula) => formula.querySelector("[data-tex]")?.dataset.tex ?? html(formula));
        },

        // What is too wide has a bar, keys reach it, and its end comes into view.
        "cut, or scrolled by no key": () => all(boxes).filter((box) => {
            const { scrollLeft, clientWidth, scrollWidth } = box;
            if (scrollWidth <= clientWidth || !box.checkVisibility()) return false;
            box.scrollLeft = scrollWidth;
            const moved = Math.abs(box.scrollLeft + clientWidth - scrollWidth) < 2;
            box.scrollLeft = scrollLeft;
            const reached = box.matches("[tabindex='0']:not([aria-hidden] *)");
            const byHand = /auto|scroll/.test(getComputedStyle(box).overflowX);
            return !moved || !byHand || !reached || box.ariaHidden;
        }).map(html),

        // On a phone what has no number may scroll.
        "too wide": () => all(wide ? boxes : "div.formula[id] .drawn").filter((box) =>
            box.scrollWidth > box.clientWidth && box.checkVisibility()).map(html),

        // There are shadows that stay, and covers before them that scroll along.
        "hidden without a sign": () => all(boxes).filter((box) => {
            const { backgroundAttachment } = getComputedStyle(box);
            return box.scrollWidth > box.clientWidth && box.checkVisibility()
                && !/^local.* scroll$/.test(backgroundAttachment);
        }).map(html),

        // In two columns whose tops are level; on a phone one below the other.
        "code not beside its derivation": () => all(".step").filter((step) => {
            const [derivation, execution] =
                [...step.children].map((side) => side.getBoundingClientRect());
            return wide
                ? derivation.right > execution.left
                    || !level(derivation.top, execution.top)
                : derivation.bottom > execution.top + 1
                    || !level(derivation.left, execution.left);
        }).map((step) => step.textContent.trim().slice(0, 60)),

        // Within the drawing, nothing over anything, large enough to read.
        "graph not legible": () => all(".graph").flatMap((graph) => {
            const room = graph.getBoundingClientRect();
            const labels = all(".at, .on", graph);
            const boxes = labels.map((label) => label.getBoundingClientRect());
            const over = (a, b) => Math.min(a.right, b.right) - Math.max(a.left, b.left) > 1
                && Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1;
            const small = (part) => parseFloat(getComputedStyle(part).fontSize) < 11;
            return labels.filter((label, i) =>
                boxes.some((box, j) => j < i && over(box, boxes[i]))
                || boxes[i].left < room.left - 1 || boxes[i].right > room.right + 1
                || label.scrollWidth > label.clientWidth + 1
                || [label, ...all(":not(.formula, .formula *)", label)].some(small),
            ).map((label) => label.textContent.trim().slice(0, 60));
        }),

        "title in the header cut": () => all(".md-header__topic .md-ellipsis")
            .filter((title) => shown(title) && title.scrollWidth > title.clientWidth)
            .map((title) => title.textContent.trim()),

        "too little contrast": () => written().flatMap((element) => {
            const ratio = pale(element);
            return ratio ? [ratio + html(element)] : [];
        }),

        "no name": () => all(`${focusable}, img, [role=img], [role=button], iframe`)
            .filter((element) => shown(element) && !element.closest("[aria-hidden]")
                && !element.matches("[alt=''], [role=presentation]")
                && !element.matches("pre, code, .drawn, div") && !named(element))
            .map(html),

        "id stands twice": () => {
            // Patterns of drawings are equal wherever they stand on a page.
            const [once, twice] = [new Set(), new Set()];
            for (const { id } of all("[id]:not(pattern)"))
                (once.has(id) ? twice : once).add(id);
            return [...twice];
        },

        "leads to no id": () => {
            const attributes = ["for", "aria-labelledby", "aria-describedby",
                "aria-controls", "aria-owns", "aria-details"];
            const here = all("a[href^='#']").map((a) => decodeURIComponent(a.hash));
            const ids = attributes.flatMap((name) => all(`[${name}]`).flatMap(
                (element) => element.getAttribute(name).split(/\s+/)));
            return [...ids, ...here.map((hash) => hash.slice(1)).filter(Boolean)]
                .filter((id) => !document.getElementById(id));
        },

        // One title, and no level is left out.
        "headings out of order": () => {
            const levels = all("article :is(h1, h2, h3, h4, h5, h6)")
                .map((heading) => Number(heading.tagName[1]));
            const order = levels.every((level, i) =>
                i ? level > 1 && level <= levels[i - 1] + 1 : level === 1);
            return levels.length && order ? [] : [levels.join(" ")];
        },

        "the page does not say what it is": () => {
            const said = {
                language: document.documentElement.lang,
                title: document.title.trim(),
                main: all("main, [role=main]").length === 1,
                viewport: !/user-scalable=no|maximum-scale/.test(
                    document.querySelector("meta[name=viewport]")?.content ?? "no"),
            };
            return Object.keys(said).filter((name) => !said[name]);
        },

        "list of what is no item": () => [
            ...all(":is(ul, ol):not([role]) > :not(li, script, template)"),
            ...all("li:not([role])").filter((item) =>
                !item.parentElement.matches("ul, ol, menu, [role=list]")),
            ...all("dl > :not(dt, dd, div, script, template)"),
        ].map(html),

        // Or with an empty one.
        "table without a head": () => all("article table:not([role])")
            .filter((table) => !table.closest(".highlight"))
            .flatMap((table) => table.querySelector("th")
                ? all("th", table).filter((head) => !text(head))
                : table)
            .map(html),

        "acts within what acts": () =>
            all(`:is(a[href], button, summary, [role=button]) :is(${focusable})`)
                .filter(shown).map(html),

        "reached by keys, but hidden": () =>
            all("[aria-hidden='true']").flatMap((part) => [part, ...all("*", part)])
                .filter((element) => element.matches(focusable) && shown(element)
                    && !element.disabled && element.tabIndex >= 0)
                .map(html),

        "an order of its own for keys": () =>
            all("[tabindex]").filter((element) => element.tabIndex > 0).map(html),
    };
    return Object.fromEntries(
        Object.entries(questions).map(([name, ask]) => [name, ask().slice(0, 5)]));
};
