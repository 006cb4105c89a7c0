------------------------------- MODULE MC_SL -------------------------------
\* SL: S, where a load limit may refuse at any election, and the timer elects later.
EXTENDS MC_S
==============================================================================
