--------------------------- MODULE MC_LiveSliced ---------------------------
\* LiveSliced: liveness where work is sliced.
EXTENDS MC_Sliced, Liveness

\* What is due settles, and who is leaving leaves.
DueSettles  == \A n \in Exchanges, o \in Objects : o \in node[n].due ~> o \notin node[n].due
LeavingEnds == \A n \in Exchanges, l \in Links : l \in node[n].leaving ~> l \notin node[n].leaving
==============================================================================
