-------------------------------- MODULE MC_S --------------------------------
\* S: two exchanges, one object, an observer and an exposer at each.
\*
\*    r    observer "or", exposer "er"
\*    |    link "ra"
\*    a    observer "oa", exposer "ea"
EXTENDS Refinement
MCExchanges     == {"a", "r"}
MCLinks         == {"ra"}
MCUpstreamEnd   == [ra |-> "r"]
MCDownstreamEnd == [ra |-> "a"]
MCObjects       == {"x"}
MCTags          == {}
MCTagsOf        == [x |-> {}]
MCContracts     == {"ea", "er", "oa", "or"}
MCAt            == [ea |-> "a", er |-> "r", oa |-> "a", or |-> "r"]
MCKind          == [ea |-> "expose", er |-> "expose", oa |-> "observe", or |-> "observe"]
MCOn            == [ea |-> "x", er |-> "x", oa |-> "x", or |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 0]
MCOrdered       == MCLinks
==============================================================================
