------------------------------- MODULE MC_LiveT -------------------------------
\* LiveT: liveness in TS, whose states go to who observes by a tag only.
EXTENDS MC_TS, Liveness
==============================================================================
