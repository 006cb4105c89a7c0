------------------------------- MODULE MC_TS -------------------------------
\* TS: a tag in a star of three, whose root has no contract. One leaf sees and exposes
\* whatever carries the tag; x is named at the other alone, which observes and exposes
\* it. So the root needs x for others only: because one leaf observes and the other
\* exposes it, or because both observe it.
\*
\*          r
\*    "ra" / \ "rb"
\*        a   b       observer "oa" and exposer "ea" of the tag; observer "ob" and
\*                    exposer "eb" of x
EXTENDS Refinement
MCExchanges     == {"a", "b", "r"}
MCLinks         == {"ra", "rb"}
MCUpstreamEnd   == [ra |-> "r", rb |-> "r"]
MCDownstreamEnd == [ra |-> "a", rb |-> "b"]
MCObjects       == {"x"}
MCTags          == {"t"}
MCTagsOf        == [x |-> {"t"}]
MCContracts     == {"ea", "eb", "oa", "ob"}
MCAt            == [ea |-> "a", eb |-> "b", oa |-> "a", ob |-> "b"]
MCKind          == [ea |-> "expose", eb |-> "expose", oa |-> "observe", ob |-> "observe"]
MCOn            == [ea |-> "t", eb |-> "x", oa |-> "t", ob |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 0, rb |-> 0]
MCOrdered       == MCLinks

\* A stream is open to a link that observes by a tag only.
NeverByTag ==
  ~ \E l \in Links : LET N == node[UpstreamEnd[l]] IN
      N.stream[l]["x"].ch # 0 /\ N.stream[l]["x"].v # 0 /\ ~N.contract[l]["x"].ob

\* All is quiet, x is exposed at one leaf, and who observes the tag at the other does not
\* hear of it: that leaf exposes the tag besides, and is taken to serve itself (finding 13).
NeverHidden ==
  ~ /\ Quiet /\ \A l \in Links : Together(l)
    /\ IsOpen(node["a"], "oa") /\ IsOpen(node["b"], "eb")
    /\ node["a"].offers["oa"]["x"].s = "none"

\* The root serves both leaves, which both observe and expose.
NeverForBoth ==
  ~ /\ node["r"].held["x"].now
    /\ \A l \in Links : Observes(node["r"], l, "x") /\ Exposes(node["r"], l, "x")
==============================================================================
