------------------------------- MODULE MC_BM -------------------------------
\* BM: loads move an object while its states are under way. Both leaves expose x, and a
\* exposes y besides; the timer moves only what is better by more than a threshold.
\*
\*          r         observers "ox" and "oy"
\*    "ra" / \ "rb"   load limit 12
\*        a   b       exposers "ax" and "ay" at a, "bx" at b
EXTENDS Refinement
MCExchanges     == {"a", "b", "r"}
MCLinks         == {"ra", "rb"}
MCUpstreamEnd   == [ra |-> "r", rb |-> "r"]
MCDownstreamEnd == [ra |-> "a", rb |-> "b"]
MCObjects       == {"x", "y"}
MCTags          == {}
MCTagsOf        == [x |-> {}, y |-> {}]
MCContracts     == {"ax", "ay", "bx", "ox", "oy"}
MCAt            == [ax |-> "a", ay |-> "a", bx |-> "b", ox |-> "r", oy |-> "r"]
MCKind          == [ax |-> "expose", ay |-> "expose", bx |-> "expose", ox |-> "observe", oy |-> "observe"]
MCOn            == [ax |-> "x", ay |-> "y", bx |-> "x", ox |-> "x", oy |-> "y"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 12, rb |-> 12]
MCOrdered       == MCLinks

\* The timer moves x from a to b while a state of a's is under way.
NeverMovedInFlight ==
  [][~ /\ node["r"].elected["x"] = "ra" /\ node'["r"].elected["x"] = "rb"
       /\ budget'.rebalances # budget.rebalances
       /\ \E i \in DOMAIN link["ra"].up : link["ra"].up[i].k = "state"]_all
==============================================================================
