"""Records become graphs: one featuriser per kind of data, and the vocabularies they use."""
