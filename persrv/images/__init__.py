"""Pictures: safe decoding, and encoders that turn them into vectors."""
