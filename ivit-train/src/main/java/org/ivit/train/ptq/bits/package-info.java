/** Bits of weights by layer: the choice within a budget, and what came of it. */
package org.ivit.train.ptq.bits;
