------------------------------- MODULE MC_Live -------------------------------
\* Live: liveness, on the exchanges and contracts of S with smaller budgets.
EXTENDS Liveness
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
MCVersion     == [s \in 0..2 |-> s]
MCLimit       == [ra |-> 0]
MCOrdered     == MCLinks

\* With the link up and all quiet, what is now at the root is as new as what its
\* child holds.
NowIsNewestTogether ==
  Quiet /\ Together("ra") /\ node["r"].held["x"].now =>
    node["r"].held["x"].v >= node["a"].held["x"].v
==============================================================================
