------------------------------- MODULE MC_Tie -------------------------------
\* Tie: S, but the two states that can be published have the same version.
EXTENDS MC_S
TieVersion == [s \in 0..2 |-> IF s = 0 THEN 0 ELSE 1]

\* With the link up and all quiet, a version has one content.
CoherentTogether == (\A l \in Links : Together(l)) => Coherent
==============================================================================
