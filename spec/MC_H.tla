-------------------------------- MODULE MC_H --------------------------------
\* H: half-open links. Exchange a may come back in a second slot while r still holds
\* the dead session of the first.
\*
\*    r      observer "or"
\*    | |    link slots "ra1", "ra2"
\*    a      observer "oa", exposer "ea"
EXTENDS Refinement
MCExchanges     == {"a", "r"}
MCLinks         == {"ra1", "ra2"}
MCUpstreamEnd   == [ra1 |-> "r", ra2 |-> "r"]
MCDownstreamEnd == [ra1 |-> "a", ra2 |-> "a"]
MCObjects       == {"x"}
MCTags          == {}
MCTagsOf        == [x |-> {}]
MCContracts     == {"ea", "oa", "or"}
MCAt            == [ea |-> "a", oa |-> "a", or |-> "r"]
MCKind          == [ea |-> "expose", oa |-> "observe", or |-> "observe"]
MCOn            == [ea |-> "x", oa |-> "x", or |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra1 |-> 0, ra2 |-> 0]
MCOrdered       == MCLinks
==============================================================================
