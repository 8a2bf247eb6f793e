/**
 * Runs a recipe: calibration, epochs, schedule, moving average of the weights, validation, training
 * checkpoints, metrics, resume.
 */
package org.ivit.train.loop;
