/**
 * What reports are made of: one style sheet, one chart, tables and pages, for the run's learning
 * curve and for every HTML report. Everything is in the file; nothing is loaded from elsewhere.
 */
package org.ivit.train.report;
