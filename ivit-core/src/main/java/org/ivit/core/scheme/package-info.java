/**
 * How a model is quantized, besides weights: forms, widths, outlier channels, ranges and scales.
 */
package org.ivit.core.scheme;
