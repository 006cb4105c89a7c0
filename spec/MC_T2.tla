-------------------------------- MODULE MC_T2 --------------------------------
\* T2: an object x with two tags, "t" and "u". What changes may go up in portions,
\* capacities may be 0, and "ox" reads its stream.
\*
\*    r    observer "ox" of x
\*    |    link "ra"
\*    a    exposers "et" and "eu" of the tags, observer "ou" of u
EXTENDS Refinement
MCExchanges     == {"a", "r"}
MCLinks         == {"ra"}
MCUpstreamEnd   == [ra |-> "r"]
MCDownstreamEnd == [ra |-> "a"]
MCObjects       == {"x"}
MCTags          == {"t", "u"}
MCTagsOf        == [x |-> {"t", "u"}]
MCContracts     == {"et", "eu", "ou", "ox"}
MCAt            == [et |-> "a", eu |-> "a", ou |-> "a", ox |-> "r"]
MCKind          == [et |-> "expose", eu |-> "expose", ou |-> "observe", ox |-> "observe"]
MCOn            == [et |-> "t", eu |-> "u", ou |-> "u", ox |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 0]
MCOrdered       == MCLinks
==============================================================================
