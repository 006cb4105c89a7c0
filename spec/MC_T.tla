-------------------------------- MODULE MC_T --------------------------------
\* T: a tag "t" with two objects, and loads. Capacity 1 costs a load of 6, capacity 2
\* one of 3. x is exposed through the tag only (6); y has a contract of its own as
\* well (3, or less). The limit allows x alone, but not both.
\*
\*    r    observer "ot" of the tag, observer "ox" of x
\*    |    link "ra", load limit 8
\*    a    exposer "et" of the tag, exposer "ey" of y
EXTENDS Refinement
MCExchanges     == {"a", "r"}
MCLinks         == {"ra"}
MCUpstreamEnd   == [ra |-> "r"]
MCDownstreamEnd == [ra |-> "a"]
MCObjects       == {"x", "y"}
MCTags          == {"t"}
MCTagsOf        == [x |-> {"t"}, y |-> {"t"}]
MCContracts     == {"et", "ey", "ot", "ox"}
MCAt            == [et |-> "a", ey |-> "a", ot |-> "r", ox |-> "r"]
MCKind          == [et |-> "expose", ey |-> "expose", ot |-> "observe", ox |-> "observe"]
MCOn            == [et |-> "t", ey |-> "y", ot |-> "t", ox |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 8]
MCOrdered       == MCLinks
==============================================================================
