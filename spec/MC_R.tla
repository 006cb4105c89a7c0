-------------------------------- MODULE MC_R --------------------------------
\* R: the peer at the other end of the link is the reference: messages keep their
\* order within a channel only. Otherwise as S.
EXTENDS Refinement
MCExchanges     == {"a", "r"}
MCLinks         == {"ra"}
MCUpstreamEnd   == [ra |-> "r"]
MCDownstreamEnd == [ra |-> "a"]
MCObjects       == {"x"}
MCTags          == {}
MCTagsOf        == [x |-> {}]
MCContracts     == {"ea", "er", "oa", "or"}
MCAt            == [ea |-> "a", er |-> "r", oa |-> "a", or |-> "r"]
MCKind          == [ea |-> "expose", er |-> "expose", oa |-> "observe", or |-> "observe"]
MCOn            == [ea |-> "x", er |-> "x", oa |-> "x", or |-> "x"]
MCVersion       == [s \in 0..2 |-> s]
MCLimit         == [ra |-> 0]
MCOrdered       == {}

\* In a session that was made after another was lost: the two ends agree on it.
Again == budget.losses < Losses /\ \A l \in Links : Together(l)

\* There, the peer's messages overtake one another, as in the first.
NeverTwoChannelsAgain == Again => NeverTwoChannels

\* There, exchange a sends the state that it kept, which is an old one by now.
NeverStaleAgain == Again => NeverStale
==============================================================================
