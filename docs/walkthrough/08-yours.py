# %% [markdown]
# # Yours now
#
# The model lies in a folder. Time to talk to it, to tease it, and to show it around.

# %% [markdown]
# ## Sentences of your own
#
# `export_openvino` makes a copy of the model that answers fast and needs no torch. A `Classifier` loads it.

# %%
el.export_openvino("walkthrough-model")
classifier = el.Classifier("walkthrough-model")
mine = ["I can't wait to see you all tomorrow!", "They forgot my birthday again.",
        "Who left this here?"]
for prediction in classifier.predict(mine):
    print(prediction)

# %% [markdown]
# An answer, its probability, and sometimes the word *unsure*. The threshold is that of the section before. (Its *promise* is about texts like those of test. About yours, it knows nothing.) If a sentence of yours is below the threshold, the model would rather say nothing, and `best_guess` holds what it would have said. In `emotion`, all three sentences are unsure: who promises 99 % has to be picky, and these three are no tweets.
#
# You can ask for another deal: `el.Classifier("walkthrough-model", coverage=0.9)` answers about nine of ten texts like those of validation, and `answer_all=True` has an opinion about everything. We all know somebody like that, too.
#
# **Try this:** the whole sentence of yours that you thought of while you read this. Yes, that one.

# %% [markdown]
# ## Negation and irony
#
# Now let's be mean.

# %%
tricky = ["I am happy.", "I am not happy.", "I don't feel sad at all.",
          "Great, another delay. Just great."]
answers = [p.probabilities for p in classifier.predict(tricky)]
pd.DataFrame(answers, index=tricky).round(2)

# %% [markdown]
# In `emotion`, "I am happy." is joy, with 0.58. And "I am **not** happy." is joy as well, with 0.79. It is *more* sure. "I don't feel sad at all." is sadness, with 1.00, and the delay is a joy, with 0.85.
#
# Remember the cosine table, where happy and unhappy were neighbors? Remember that counting words did so well on these data? Here is the bill. The model learned from texts in which the feeling is named, and the named feeling is the right answer. It never had a reason to learn what "not" does. And irony is hard for all of us, even with the face in view.
#
# Four sentences are an anecdote. emolens has several hundred that were written to try models, in twenty-one tests:

# %%
tests = el.behavior(classifier.predict_proba, classifier.labels).tests
for test in tests:
    print(f"{test.failed:>3} of {test.n:>3} fail: {test.about}")

# %% [markdown]
# In `emotion`, pleasant words that are negated go wrong in 26 of 30 cases, and irony in 22 of 34. In capitals, 0 of 178 fail, and you know why: the tokenizer can't see them. The line with 0 of 0 is about neutral facts, a class that these data don't have. And look at the line about groups of people: 3 of 30. There, an answer changed because *somebody else* was named, and nothing besides. Read that line before a model judges anything about people.
#
# (Trained on `starter`, the model gets along better with negated joy: its texts turn a feeling around on purpose. Irony stays irony.)
#
# So the model has an accuracy of 0.9345, and it doesn't understand "not happy". Both are true. A test split is made of texts like those of train. It can't ask what train never asked.
#
# **Try this:** pick the test with the largest share of failures and look at its examples: `tests[5].examples`. Then write three sentences that the model *should* get right. You've just begun a test of your own.

# %% [markdown]
# ## Sharing it
#
# The folder holds everything that others need, in the form that they know.

# %%
from pathlib import Path

for file in sorted(Path("walkthrough-model").rglob("*.*")):
    print(f"{file.stat().st_size:>12,} bytes  {file.name}")

# %%
from transformers import pipeline

ask = pipeline("text-classification", "walkthrough-model", truncation=True)
ask("I can't wait to see you all tomorrow!")

# %% [markdown]
# The same class, from a program that has never heard of emolens, and nearly the same probability (its numbers have another format). Only "unsure" is missing: it doesn't know when to be silent. The names of the classes are in it (not `LABEL_1`), the temperature is in its weights, and no file in it can run code. (`training_texts.safetensors` holds no text. It holds the numbers by which emolens notices texts that are unlike those of train.)
#
# To the Hub it goes with one command. With `--dry-run` nothing is sent: you see the list of the files, and can change your mind.
#
# ```
# emolens push walkthrough-model yourname/feelings --dry-run
# ```
#
# The repository is private until you say otherwise. [What is sent, and what isn't](hub.md#share-a-model).
#
# **Try this:** before you make a model public, write down for whom it is *not*. A model that learned from tweets knows tweets. It should not decide about anybody's job, health or loan.

# %% [markdown]
# ## That's a wrap
#
# Look back at what you have done. You
#
# - loaded a dataset, and looked at it before you believed it,
# - cut texts into tokens, and saw one lose its happy end,
# - peeked at the hidden states of an encoder, and flattened them into a map,
# - drew a straight line through it all, and read its mix-ups aloud,
# - let the encoder learn, and watched the feelings come apart,
# - gave rare feelings a voice, and the model the right to be silent,
# - and asked it mean questions.
#
# In `emotion`, that was the way from 0.3520 (lazy) to 0.7080 (probe) and 0.9345 (fine-tuned).
#
# All of this, in one command and with a report to click through, is `emolens run starter`. Now you know what each of its lines means.
#
# Moments like these are why this work is so satisfying: you take a messy heap of sentences and turn it into something that makes sense. And then somebody writes "I'm fine", and you smile, because you know what the model can't.
#
# **Try this:** your own texts. Two hundred of them with labels are enough to begin: `emolens evaluate --model walkthrough-model --dataset mine.csv`.
