/**
 * One HTML file that shows a run: curves, accuracy, confusion, sample pictures, ranges, sizes and
 * provenance. Everything is in the file; nothing is loaded from elsewhere and nothing is scripted.
 */
package org.ivit.export.report;
