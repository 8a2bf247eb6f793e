/**
 * Calibration passes: equalization of attention, outlier channels, ranges by observer or by the
 * error that they cause at the next layer's output.
 */
package org.ivit.train.ptq;
