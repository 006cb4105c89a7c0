-------------------------------- MODULE MC_L --------------------------------
\* L: four exchanges, in two branches of different depth. Without "ra" the tree is
\* two halves, each with an observer, and an exposer elected over a link: three
\* exchanges leave one half with a single exchange. Then the halves come together
\* again. While "ra" is up, r's election may move from one branch to the other, and
\* a state goes over three links, up and down, to the exchange in the middle.
\*
\*            r        observer "or"
\*      "ra" / \ "rb"
\*          a   b      observer "oa", exposer "eb"
\*    "ac"  |
\*          c          exposer "ec"
\*
EXTENDS Refinement
MCExchanges     == {"a", "b", "c", "r"}
MCLinks         == {"ac", "ra", "rb"}
MCUpstreamEnd   == [ac |-> "a", ra |-> "r", rb |-> "r"]
MCDownstreamEnd == [ac |-> "c", ra |-> "a", rb |-> "b"]
MCObjects       == {"x"}
MCTags          == {}
MCTagsOf        == [x |-> {}]
MCContracts     == {"eb", "ec", "oa", "or"}
MCAt            == [eb |-> "b", ec |-> "c", oa |-> "a", or |-> "r"]
MCKind          == [eb |-> "expose", ec |-> "expose", oa |-> "observe", or |-> "observe"]
MCOn            == [eb |-> "x", ec |-> "x", oa |-> "x", or |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ac |-> 0, ra |-> 0, rb |-> 0]
MCOrdered       == MCLinks

\* Each half of the parted tree has an exposer, and now a state, of its own.
NeverTwoHalves ==
  ~ /\ link["ra"] = Idle
    /\ node["a"].elected["x"] = "ac" /\ node["r"].elected["x"] = "rb"
    /\ node["a"].held["x"].now /\ node["r"].held["x"].now
    /\ node["a"].held["x"].v # node["r"].held["x"].v

\* Together again, states of both come to the observer in the middle at one time:
\* one from upstream, one from downstream.
NeverBothSides ==
  ~ /\ Together("ra") /\ Together("ac")
    /\ \E i \in DOMAIN link["ra"].down : link["ra"].down[i].k = "state"
    /\ \E i \in DOMAIN link["ac"].up :
         link["ac"].up[i].k = "state" /\ link["ac"].up[i].ch = node["a"].sink["ac"]["x"].ch
==============================================================================
