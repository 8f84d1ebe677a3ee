"""Is a representation any good? Properties, frozen probes, and the report that shows them."""
