/**
 * The integer arithmetic, once and exactly: constants, tables, bounds and one scalar kernel for
 * every operator.
 *
 * <p>Every other implementation (engines, training kernels, exporter) calls these or is tested
 * equal to them in every integer. Floating point appears only where a model is trained, frozen or
 * loaded; the kernels of a forward pass have none. What is computed and why each bound holds is
 * written in {@code docs/arithmetic.md}.
 */
package org.ivit.core.arithmetic;
