"""What loaders share: walking through folders, opening archives safely, and reading what lies beside pictures."""
