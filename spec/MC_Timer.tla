------------------------------- MODULE MC_Timer ------------------------------
\* Timer: liveness of the rebalance, which may happen as often as it likes. Both
\* objects may move, and one may be refused until the other does. Nothing is published.
\*
\*          r         observers "ox" and "oy"
\*    "ra" / \ "rb"   load limits 12 and 6
\*        a   b       exposer "ax" at a; "bx" and "by" at b
EXTENDS Liveness
MCExchanges     == {"a", "b", "r"}
MCLinks         == {"ra", "rb"}
MCUpstreamEnd   == [ra |-> "r", rb |-> "r"]
MCDownstreamEnd == [ra |-> "a", rb |-> "b"]
MCObjects       == {"x", "y"}
MCTags          == {}
MCTagsOf        == [x |-> {}, y |-> {}]
MCContracts     == {"ax", "bx", "by", "ox", "oy"}
MCAt            == [ax |-> "a", bx |-> "b", by |-> "b", ox |-> "r", oy |-> "r"]
MCKind          == [ax |-> "expose", bx |-> "expose", by |-> "expose", ox |-> "observe", oy |-> "observe"]
MCOn            == [ax |-> "x", bx |-> "x", by |-> "y", ox |-> "x", oy |-> "y"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 12, rb |-> 6]
MCOrdered       == MCLinks
==============================================================================
