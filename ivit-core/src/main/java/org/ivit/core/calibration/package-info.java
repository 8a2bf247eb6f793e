/**
 * Calibration: the {@code observing} forward of §10, which finds the ranges of a float model's
 * nodes while it runs in integers.
 */
package org.ivit.core.calibration;
