------------------------------- MODULE MC_Live -------------------------------
\* Live: liveness, on the exchanges and contracts of S with smaller budgets.
EXTENDS MC_S, Liveness

\* With the link up and all quiet, what is now at the root is as new as what
\* exchange a holds.
NowIsNewestTogether ==
  Quiet /\ Together("ra") /\ node["r"].held["x"].now =>
    node["r"].held["x"].v >= node["a"].held["x"].v
==============================================================================
