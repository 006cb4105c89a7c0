----------------------------- MODULE MC_Sliced ------------------------------
\* Sliced: contracts on a tag of two objects come and go, and links are forgotten bit by
\* bit, while others step in between.
\*
\*    r    observers "ox" of x and "oy" of y
\*    |    link "ra"
\*    a    exposer "et" of the tag that both carry
EXTENDS Refinement
MCExchanges     == {"a", "r"}
MCLinks         == {"ra"}
MCUpstreamEnd   == [ra |-> "r"]
MCDownstreamEnd == [ra |-> "a"]
MCObjects       == {"x", "y"}
MCTags          == {"t"}
MCTagsOf        == [x |-> {"t"}, y |-> {"t"}]
MCContracts     == {"et", "ox", "oy"}
MCAt            == [et |-> "a", ox |-> "r", oy |-> "r"]
MCKind          == [et |-> "expose", ox |-> "observe", oy |-> "observe"]
MCOn            == [et |-> "t", ox |-> "x", oy |-> "y"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 0]
MCOrdered       == MCLinks

\* One object of the tag has settled and the other is due; a link is leaving, and one of
\* its objects is elected still; a link has left, and an election of it is left.
NeverHalf      == ~ \E n \in Exchanges : node[n].due \notin {{}, Objects}
NeverLingering == ~ \E o \in Objects : node["r"].leaving # {} /\ node["r"].elected[o] = "ra"
NeverOnlyDue   == ~ /\ node["r"].leaving # {}
                    /\ AskedOn("r", node["r"], "ra") = {} /\ ChannelsOn("r", node["r"], "ra") = {}
==============================================================================
