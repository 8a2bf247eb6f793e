/**
 * From a run directory to an integer checkpoint: the core builds the graph and proves its bounds,
 * pictures verify that engine and training network give the same logits.
 */
package org.ivit.export.freeze;
