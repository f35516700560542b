"""The nouns that every stage reads and writes, the parts they carry, and their files."""
