------------------------------- MODULE MC_Tie -------------------------------
\* Tie: S, but the two states that can be published have the same version.
EXTENDS MC
MCExchanges   == {"a", "r"}
MCLinks       == {"ra"}
MCParent      == [ra |-> "r"]
MCChild       == [ra |-> "a"]
MCObjects     == {"x"}
MCTags        == {}
MCTagsOf      == [x |-> {}]
MCContracts   == {"ea", "er", "oa", "or"}
MCAt          == [ea |-> "a", er |-> "r", oa |-> "a", or |-> "r"]
MCKind        == [ea |-> "expose", er |-> "expose", oa |-> "observe", or |-> "observe"]
MCOn          == [ea |-> "x", er |-> "x", oa |-> "x", or |-> "x"]
MCVersion     == [s \in 0..2 |-> IF s = 0 THEN 0 ELSE 1]
MCLimit       == [ra |-> 0]
MCOrdered     == MCLinks

\* With the link up and all quiet, a version has one content.
CoherentTogether == (\A l \in Links : Together(l)) => Coherent
==============================================================================
