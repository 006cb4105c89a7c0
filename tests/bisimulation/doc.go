// Package bisimulation walks configurations of the specification on both sides
// at once: the model, and real cores with the bytes between them.
//
// A product is a state of the model, what is left of the configuration's
// budgets, and one world of cloned cores that stands for that state. From each
// product every step of one alphabet is tried, in both: the cores must do
// something just when the model's action is enabled, and come to a state that it
// leads to. Each edge is walked once, breadth first.
//
// The abstraction is that of sim/refinement, which watches every input of every
// core on the way. (tests/refinement walks at random, with an abstraction of its
// own: there each step of the cores is one of the model's, not the other way.)
package bisimulation
