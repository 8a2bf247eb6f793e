/**
 * Calibration: the {@code observing} forward of {@code docs/arithmetic.md#observing-ranges}, which
 * finds the ranges of a float model's nodes while it runs in integers.
 */
package org.ivit.core.calibration;
