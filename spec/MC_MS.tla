-------------------------------- MODULE MC_MS --------------------------------
\* MS: a star of three. Both leaves expose; who is elected may change by hand-over,
\* by the rebalance, and by the loss of a link.
\*
\*          r         observer "or"
\*    "ra" / \ "rb"
\*        a   b       observer "oa", exposers "ea" and "eb"
EXTENDS Refinement
MCExchanges     == {"a", "b", "r"}
MCLinks         == {"ra", "rb"}
MCUpstreamEnd   == [ra |-> "r", rb |-> "r"]
MCDownstreamEnd == [ra |-> "a", rb |-> "b"]
MCObjects       == {"x"}
MCTags          == {}
MCTagsOf        == [x |-> {}]
MCContracts     == {"ea", "eb", "oa", "or"}
MCAt            == [ea |-> "a", eb |-> "b", oa |-> "a", or |-> "r"]
MCKind          == [ea |-> "expose", eb |-> "expose", oa |-> "observe", or |-> "observe"]
MCOn            == [ea |-> "x", eb |-> "x", oa |-> "x", or |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 0, rb |-> 0]
MCOrdered       == MCLinks
==============================================================================
