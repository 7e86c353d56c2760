"""Reading the text in pictures: OCR engines behind one protocol, and what is made of their lines."""
