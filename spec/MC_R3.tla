------------------------------- MODULE MC_R3 -------------------------------
\* R3: a chain of three with the reference at the bottom: on "ab" messages keep their
\* order within a channel only, and what overtakes there comes to the root in order.
\*
\*    r    observer "or", exposer "er"
\*    |    link "ra"
\*    a
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
MCContracts     == {"eb", "er", "ob", "or"}
MCAt            == [eb |-> "b", er |-> "r", ob |-> "b", or |-> "r"]
MCKind          == [eb |-> "expose", er |-> "expose", ob |-> "observe", or |-> "observe"]
MCOn            == [eb |-> "x", er |-> "x", ob |-> "x", or |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ab |-> 0, ra |-> 0]
MCOrdered       == {"ra"}

\* The exchange in the middle has two channels with upstream at one time, never: but the
\* one at the bottom has.
NeverTwoAtTheBottom == Cardinality(node["b"].outlets["x"]) + Cardinality(node["b"].sources["x"]) <= 1
==============================================================================
