/** The folder of a run: recipe as resolved, metrics, training checkpoints, lock. */
package org.ivit.train.run;
