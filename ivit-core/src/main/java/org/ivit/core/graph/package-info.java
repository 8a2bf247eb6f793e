/**
 * The integer graph: one record a node with its frozen constants, built from an architecture, float
 * weights, ranges and outlier channels. Training, calibration, freezing and every engine use these
 * builders and records, so they cannot differ.
 */
package org.ivit.core.graph;
