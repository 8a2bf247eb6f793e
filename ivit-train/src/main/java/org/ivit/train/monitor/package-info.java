/** Hears how a run goes on and shows it to a person. */
package org.ivit.train.monitor;
