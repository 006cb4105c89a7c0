-------------------------------- MODULE MC_M3 --------------------------------
\* M3: a chain of three.
\*
\*    r    observer "or"
\*    |    link "ra"
\*    a    exposer "ea"
\*    |    link "ab"
\*    b    observer "ob", exposer "eb"
EXTENDS Refinement
MCExchanges     == {"a", "b", "r"}
MCLinks         == {"ab", "ra"}
MCUpstreamEnd   == [ab |-> "a", ra |-> "r"]
MCDownstreamEnd == [ab |-> "b", ra |-> "a"]
MCObjects       == {"x"}
MCTags          == {}
MCTagsOf        == [x |-> {}]
MCContracts     == {"ea", "eb", "ob", "or"}
MCAt            == [ea |-> "a", eb |-> "b", ob |-> "b", or |-> "r"]
MCKind          == [ea |-> "expose", eb |-> "expose", ob |-> "observe", or |-> "observe"]
MCOn            == [ea |-> "x", eb |-> "x", ob |-> "x", or |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ab |-> 0, ra |-> 0]
MCOrdered       == MCLinks
==============================================================================
