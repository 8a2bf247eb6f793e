/**
 * Runs a recipe: calibration, epochs, schedule, moving average of the weights, validation, resume.
 */
package org.ivit.train.loop;
