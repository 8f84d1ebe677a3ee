"""Data: dataset cards, download and cache, stores of SMILES."""
