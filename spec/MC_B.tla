-------------------------------- MODULE MC_B --------------------------------
\* B: balance. Two objects that two downstream exchanges expose, with loads; nothing is published.
\*
\*          r         observers "ox" and "oy"
\*    "ra" / \ "rb"   load limits 12 and 6
\*        a   b       exposers "ax", "ay" at a; "bx", "by" at b
EXTENDS Refinement
MCExchanges     == {"a", "b", "r"}
MCLinks         == {"ra", "rb"}
MCUpstreamEnd   == [ra |-> "r", rb |-> "r"]
MCDownstreamEnd == [ra |-> "a", rb |-> "b"]
MCObjects       == {"x", "y"}
MCTags          == {}
MCTagsOf        == [x |-> {}, y |-> {}]
MCContracts     == {"ax", "ay", "bx", "by", "ox", "oy"}
MCAt            == [ax |-> "a", ay |-> "a", bx |-> "b", by |-> "b", ox |-> "r", oy |-> "r"]
MCKind          == [ax |-> "expose", ay |-> "expose", bx |-> "expose", by |-> "expose", ox |-> "observe", oy |-> "observe"]
MCOn            == [ax |-> "x", ay |-> "y", bx |-> "x", by |-> "y", ox |-> "x", oy |-> "y"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 12, rb |-> 6]
MCOrdered       == MCLinks
==============================================================================
