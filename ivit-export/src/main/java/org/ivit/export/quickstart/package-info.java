/**
 * The whole way on pictures drawn by the program itself: train, fine-tune, export, compare, report.
 */
package org.ivit.export.quickstart;
