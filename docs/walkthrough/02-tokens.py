# %% [markdown]
# # Tokens
#
# A model reads numbers. This part is about how a sentence becomes some, and what gets lost on the way.

# %% [markdown]
# ## The language of a model
#
# Every encoder comes with its own tokenizer. It cuts a text into pieces that the model knows, and gives each piece its number. You can think of it as the language of the model: without it, the model simply doesn't understand you.
#
# We don't reinvent the wheel here. Others have made tokenizers and encoders, and give them away: lucky us. To see how they work comes first. Who wants to build one can do so later.

# %%
tokenizer = el.tokenizer_of(ENCODER)
tokenizer

# %% [markdown]
# Two facts stand there. The **vocabulary** is how many pieces the model knows. The **limit** is how many of them it can read in one text.
#
# Tokenizer and encoder belong together. The encoder has learned what number 3793 means (it is *text*, as you will see) by reading millions of sentences in which this tokenizer had put it. With another tokenizer, the numbers would still go in, and nonsense would come out, as if you said "cat" and meant "bed". Usually nothing would crash. That's the dangerous part.
#
# **Try this:** ask both encoders: `el.tokenizer_of("minilm")` and, with the Hub, `el.tokenizer_of("distilbert")`. They share one vocabulary, that of BERT, so the numbers in the next sections are the same for both.

# %% [markdown]
# ## Pieces of words
#
# Let's see one sentence.

# %%
[row] = el.padded_batch(tokenizer, ["Tokenizing text is a core task of NLP"])
pd.DataFrame({"token": row["tokens"], "id": row["input_ids"]})

# %% [markdown]
# There are three things to see.
#
# - **Subwords.** "Tokenizing" became `token` and `##izing`. The two signs mean "this belongs to the piece before". So a vocabulary of thirty thousand pieces can spell words that nobody has put into it. This method is called WordPiece.
# - **Special tokens.** Nobody wrote `[CLS]` and `[SEP]`. The tokenizer adds them: one at the start, and one at the end, where it would also stand between two texts. Remember `[CLS]`, number 101. It has a career ahead of it.
# - **Small letters.** "NLP" became `nl` and `##p`. The tokenizer does not see capitals: it is *uncased*. "Hello", "hello" and "HELLO" are one word to it. If somebody shouts, the model does not hear it.
#
# If you have seen other numbers for this sentence in an older text: the ones in the table are those that this tokenizer gives.

# %%
for word in ("happy", "unhappiness", "hangry", "😊"):
    [row] = el.padded_batch(tokenizer, [word])
    print(f"{word:<12}", row["tokens"][1:-1])

# %% [markdown]
# Common words are one piece. Rare ones fall apart, and the model has to put their meaning together again. And the smiley is `[UNK]`, *unknown*: all the warmth of it is gone before the model has read a thing. (The model that answers `emolens predict` has learned emoji for this reason.)
#
# **Try this:** tokenize your own name, the word your family invented, and the longest word you know.

# %% [markdown]
# ## Short texts, long texts, and padding
#
# A model computes many texts at once, in one block of numbers. A block has straight edges. Texts don't.

# %%
import numpy as np

for row in el.padded_batch(tokenizer, dataset["train"].texts[:2]):
    print("ids ", np.array(row["input_ids"]))
    print("mask", np.array(row["attention_mask"]))

# %% [markdown]
# These are the first two texts of train. The shorter one is filled up with zeros until both are of the same length. That is **padding**.
#
# The second line of each is the **attention mask**. A 1 says "this is a token, look at it". A 0 says "ignore this, it's only filling". Without the mask, the model would try to find a feeling in the zeros. With it, a text gets the same answer whatever stands beside it in the block.
#
# In `emotion`, the first text has 7 tokens and the second has 23. They are also a good check that everything is connected as it should be: the ids that the reference prints for these two are the same, digit by digit.
#
# **Try this:** put a third text into the block, much longer than the others, and see what happens to the first two.

# %% [markdown]
# ## Too long
#
# And the other way round: what if a text has more tokens than the model can read? Then it is cut at the end. That is **truncation**. Most texts here are far too short for that, so let's give a tokenizer a limit of 8 and a sentence with a turn in it.

# %%
short = el.tokenizer_of(ENCODER, max_length=8)
turn = "I was sad all week, but today was the best day of my life"
[row] = el.padded_batch(short, [turn])
print(row["tokens"])
print("cut:", row["truncated"])

# %% [markdown]
# The end is gone, and the end was the point. What is left is a sad text, and a model would be right to call it sad. It never saw the best day of anybody's life.
#
# So a cut text is not an error that you can see from outside: an answer comes back, and it looks like all others. emolens counts every text that is cut, says so, and calls the answer unsure.
#
# **Try this:** raise the limit one by one. At which number does the sentence turn from sad to happy for *you*?

# %% [markdown]
# ## Every text at once
#
# Now we know what tokens, padding and masks are. Ready for the whole dataset? In the script, its columns become `text`, `label`, `input_ids` and `attention_mask`. Here the tokens are an object of their own.

# %%
tokens = {name: tokenizer.encode(dataset[name].texts) for name in dataset.splits}
for name, rows in tokens.items():
    n = rows.lengths
    print(name, rows, f"mean {n.mean():.1f}, longest {n.max()}")

# %%
lengths = {name: rows.lengths for name, rows in tokens.items()}
el.TokenLengthDisplay(lengths, tokenizer.max_length)

# %% [markdown]
# Nothing is cut, and the three curves nearly lie on each other. That is good news: train, validation and test are the same kind of text. If test were twice as long as train, we would be teaching one thing and asking another.
#
# The picture also shows why padding deserves care. Fill every text up to the longest one, as a simple script would do, and most of the block is filling:

# %%
longest, mean = lengths["train"].max(), lengths["train"].mean()
print(f"padded to the longest text, {1 - mean / longest:.0%} would be zeros")

# %% [markdown]
# The model would compute all of it, carefully ignore it, and send you the bill in minutes. emolens puts texts of similar length into one block, so hardly anything is filled. The vectors are the same. Only the waiting is shorter.
#
# **Try this:** find the longest text of train: `dataset["train"].texts[lengths["train"].argmax()]`. Is it one feeling, or several?
