/**
 * IVIT as an engine of Deep Java Library: integer checkpoints behind its models, predictors and
 * translators.
 */
package org.ivit.djl;
