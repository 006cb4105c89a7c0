----------------------------- MODULE MC_Rights ------------------------------
\* Rights: the peer of a link gets other rights, also while states are under way: to do
\* nothing, to see only, to expose only and with a capacity of 1.
\*
\*    r    observer "or" and exposer "er" of x
\*    |    link "ra", whose rights change
\*    a    observer "oa" of x, exposer "ea" of the tag t
EXTENDS Refinement
MCExchanges     == {"a", "r"}
MCLinks         == {"ra"}
MCUpstreamEnd   == [ra |-> "r"]
MCDownstreamEnd == [ra |-> "a"]
MCObjects       == {"x"}
MCTags          == {"t"}
MCTagsOf        == [x |-> {"t"}]
MCContracts     == {"ea", "er", "oa", "or"}
MCAt            == [ea |-> "a", er |-> "r", oa |-> "a", or |-> "r"]
MCKind          == [ea |-> "expose", er |-> "expose", oa |-> "observe", or |-> "observe"]
MCOn            == [ea |-> "t", er |-> "x", oa |-> "x", or |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 0]
MCOrdered       == MCLinks
MCRights        == {[ob |-> {}, ex |-> {}, cap |-> 0], [ob |-> {"t", "x"}, ex |-> {}, cap |-> 0],
                    [ob |-> {}, ex |-> {"t", "x"}, cap |-> 1]}

\* When all is quiet, who may expose is elected, where the states are wanted and nobody
\* comes before.
QuietAllowed ==
  Quiet /\ Together("ra") /\ IsOpen(node["r"], "or") /\ ~IsOpen(node["r"], "er") /\ IsOpen(node["a"], "ea")
    /\ MayExpose("ra", "x") => node["r"].elected["x"] = "ra"

\* A link loses the right to a state that it has; a state comes in on a sink whose link
\* has lost the right to send it.
NeverTakenAway == ~(node["r"].stream["ra"]["x"].v # 0 /\ ~MaySee("ra", "x"))
NeverForbidden ==
  ~ \E i \in DOMAIN link["ra"].up :
      link["ra"].up[i].k = "state" /\ link["ra"].upstream = "on" /\ ~MayExpose("ra", "x")
==============================================================================
