"""How answers are shown to people: in a terminal, on a page, as one picture."""
