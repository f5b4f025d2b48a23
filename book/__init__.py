"""The library of the book: it knows neither the generator of the site nor the tests."""
