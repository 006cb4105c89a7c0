-------------------------------- MODULE MC_R --------------------------------
\* R: the peer at the other end of the link is the reference: messages keep their
\* order within a channel only. Otherwise as S, without an observer at a.
EXTENDS MC
MCExchanges   == {"a", "r"}
MCLinks       == {"ra"}
MCParent      == [ra |-> "r"]
MCChild       == [ra |-> "a"]
MCObjectOrder == <<"x">>
MCTags        == {}
MCTagsOf      == [x |-> {}]
MCContracts   == {"ea", "er", "oa", "or"}
MCAt          == [ea |-> "a", er |-> "r", oa |-> "a", or |-> "r"]
MCKind        == [ea |-> "expose", er |-> "expose", oa |-> "observe", or |-> "observe"]
MCOn          == [ea |-> "x", er |-> "x", oa |-> "x", or |-> "x"]
MCVersion     == [s \in 0..2 |-> s]
MCLimit       == [ra |-> 0]
MCOrdered     == {}
==============================================================================
