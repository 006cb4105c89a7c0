------------------------------- MODULE MC_Down -------------------------------
\* Down: liveness in a chain of three, where states flow down, and up again when the
\* exposer at the bottom takes over.
\*
\*    r    observer "or", exposer "er"
\*    |    link "ra"
\*    a
\*    |    link "ab"
\*    b    observer "ob", exposer "eb"
EXTENDS Liveness
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
MCOrdered       == MCLinks
==============================================================================
