------------------------------- MODULE MC_Read ------------------------------
\* Read: S, where "oa" reads its stream, and all that budgets allow is a step of the
\* specification.
EXTENDS MC_S
==============================================================================
